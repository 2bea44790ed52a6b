"""The demo's messages; what they say lies in `firmware_configs/demo/inputs`."""

from firstline.demo.show import Scene
from firstline.shipped import CONFIGS

INPUTS = CONFIGS / "demo" / "inputs"
SCENES = [
    Scene("home", "dark.txt"),
    Scene("home", "alarm.txt"),
    Scene("home", "invitation.txt"),
    Scene("home", "coffee.txt"),
    Scene("assistant", "rent.txt"),
    Scene("assistant", "call.txt"),
    Scene("assistant", "fraud.txt"),
    Scene("assistant", "unknown.txt"),
    Scene("engine", "healthy.csv"),
    Scene("engine", "unclear.csv"),
    Scene("snapshot", "sure.json"),
    Scene("snapshot", "unclear.json"),
]
WITHOUT_CLOUD = [Scene("home", "offline.txt"), Scene("engine", "offline.csv")]
