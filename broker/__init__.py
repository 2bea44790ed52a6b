"""The agreement: all that the agent and the cloud worker must share in order to talk.

Three rooms: `wire` (topics, messages, envelope, keys, the MQTT session), `package` (what a
model package is and how its input is prepared) and `fleet` (the operator's side).
Depends on neither the agent nor the worker.
"""
