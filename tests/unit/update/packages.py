"""Plans and noted packages, for the tests."""

from agent.update.book import Bounds, Installed
from broker.package.speed import Speed
from broker.wire.release import Content, FilePlan, Needs, PackagePlan

HERE = Speed(compute=500.0, memory=3000.0)
QUICK = Bounds(watch_s=0.2, restarts=2)


def named(number: int) -> str:
    """A digest."""
    return f"{number:064x}"


def installed(number: int, package: str = "commands") -> Installed:
    return Installed(
        package=package,
        digest=named(number),
        version=f"1.0.{number}",
        variant="int8",
        group="all",
        release=number,
    )


def plan(variant: str = "int8", mb: int = 10, **needs: object) -> PackagePlan:
    content = Content(length=mb * 1_000_000, sha256=named(1), lists=(named(2),))
    needed = {"engine": "onnxruntime", **needs}
    return PackagePlan(
        package="commands",
        version="1.0.1",
        variant=variant,
        needs=Needs(**needed),  # type: ignore[arg-type] # a test says what it means
        files=(FilePlan(name="model.onnx", content=content),),
    )
