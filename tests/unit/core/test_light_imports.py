import subprocess
import sys

HEAVY = ("numpy", "pydantic", "ipaddress", "logging", "paho", "sqlite3", "onnxruntime")
PROGRAM = f"""
import sys
import agent.core.clean, agent.core.find, agent.core.mask
print(*[name for name in {HEAVY} if name in sys.modules])
"""


def test_masking_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
