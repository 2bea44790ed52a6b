#!/bin/sh
# Whether the agent's loop turns: it writes its status every five seconds. Cheap enough for a small board.
test -n "$(find "$RUNTIME_DIRECTORY/status.json" -mmin -1)"
