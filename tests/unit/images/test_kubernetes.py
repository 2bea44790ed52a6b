"""The Kubernetes manifests hold together, and ask for no right that is not needed."""

import re
from typing import Any

import pytest
import yaml

from firstline.settings.source import read
from firstline.settings.worker import WorkerSettings
from tests.unit.images.files import DOCKER, instructions, manifests, stages
from tests.unit.worker.test_metrics import LANE, samples, watched

FOLDER = DOCKER / "kubernetes"
KINDS = {
    ("v1", "Namespace"),
    ("v1", "Service"),
    ("apps/v1", "StatefulSet"),
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
}
SETS = ("broker", "worker")


def of(kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        each for each in manifests() if each["kind"] == kind and each["metadata"]["name"] == name
    ]
    return found


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = of("StatefulSet", name)["spec"]["template"]["spec"]
    return spec


def containers(name: str) -> list[dict[str, Any]]:
    return [*pod(name)["initContainers"], *pod(name)["containers"]]


def test_all_kinds_are_known_and_all_files_are_listed() -> None:
    assert {(each["apiVersion"], each["kind"]) for each in manifests()} == KINDS
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(listed["resources"]) == {path.name for path in FOLDER.glob("*.yaml")} - {
        "kustomization.yaml"
    }
    assert listed["namespace"] == of("Namespace", "firstline")["metadata"]["name"]
    (generated,) = listed["configMapGenerator"]
    assert all((FOLDER / file).is_file() for file in generated["files"])
    names = [
        volume["configMap"]["name"] for volume in pod("worker")["volumes"] if "configMap" in volume
    ]
    assert names == [generated["name"]]


@pytest.mark.parametrize("name", SETS)
def test_a_pod_may_do_no_more_than_it_must(name: str) -> None:
    user = int(instructions(name)["USER"].partition(":")[0])

    assert pod(name)["securityContext"]["runAsUser"] == user
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(name)["automountServiceAccountToken"] is False
    for container in containers(name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["image"].removeprefix("localhost/firstline-") in stages()
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", SETS)
def test_volumes_ports_and_labels_meet(name: str) -> None:
    spec = of("StatefulSet", name)["spec"]
    claimed = {each["metadata"]["name"] for each in spec["volumeClaimTemplates"]}
    there = claimed | {volume["name"] for volume in pod(name)["volumes"]}
    assert {each["name"] for one in containers(name) for each in one["volumeMounts"]} == there

    (main,) = pod(name)["containers"]
    ports = {port["name"]: port["containerPort"] for port in main["ports"]}
    service = of("Service", spec["serviceName"])["spec"]
    assert {port["targetPort"] for port in service["ports"]} == set(ports)
    assert {str(port) for port in ports.values()} == set(instructions(name)["EXPOSE"].split())
    probes = [main[probe] for probe in main if probe.endswith("Probe")]
    assert {(probe.get("httpGet") or probe.get("tcpSocket"))["port"] for probe in probes} <= set(
        ports
    )
    labels = spec["template"]["metadata"]["labels"]
    assert service["selector"] == spec["selector"]["matchLabels"] == labels


def test_the_workers_settings_fit_the_pod() -> None:
    settings = read(FOLDER / "worker.toml", WorkerSettings)
    (main,) = pod("worker")["containers"]
    mounts = {each["name"]: each["mountPath"] for each in main["volumeMounts"]}

    assert main["args"] == ["--settings", f"{mounts['settings']}/worker.toml"]
    assert settings.worker.state.is_relative_to(mounts["state"])
    assert settings.worker.credentials.is_relative_to(
        mounts["state"]
    )  # it deletes keys that are over
    assert settings.broker.tls
    ports = {port["port"] for port in of("Service", settings.broker.host)["spec"]["ports"]}
    assert settings.broker.port in ports
    assert settings.http.port == main["ports"][0]["containerPort"]
    assert settings.http.host == "0.0.0.0"  # noqa: S104 - the kubelet comes from outside the pod
    assert pod("worker")["terminationGracePeriodSeconds"] > settings.worker.drain_s


def test_workers_are_added_by_a_metric_that_exists() -> None:
    (scaled,) = [each["spec"] for each in manifests() if each["kind"] == "ScaledObject"]
    target = scaled["scaleTargetRef"]
    assert of(target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
    assert (
        1
        <= scaled["minReplicaCount"]
        <= scaled["fallback"]["replicas"]
        <= scaled["maxReplicaCount"]
    )

    (trigger,) = scaled["triggers"]
    asked = re.fullmatch(r"sum\((\w+)\)", trigger["metadata"]["query"])
    assert asked is not None
    assert asked[1] in {name for name, _ in samples(watched(LANE))}
