"""The demo's messages; what they say lies in `firmware_configs/demo/inputs`."""

from firstline.demo.show import Scene
from firstline.shipped import CONFIGS

INPUTS = CONFIGS / "demo" / "inputs"
SCENES = [
    Scene("home", "lights.txt"),
    Scene("home", "alarm.txt"),
    Scene("home", "email.txt"),
    Scene("home", "call.txt"),
    Scene("home", "payment.txt"),
    Scene("assistant", "balance.txt"),
    Scene("assistant", "transfer.txt"),
    Scene("assistant", "unknown.txt"),
    Scene("engine", "healthy.csv"),
    Scene("engine", "unclear.csv"),
    Scene("snapshot", "sure.json"),
    Scene("snapshot", "unclear.json"),
]
WITHOUT_CLOUD = [Scene("home", "offline.txt"), Scene("engine", "offline.csv")]
