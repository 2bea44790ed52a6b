from collections.abc import Iterator

import pytest

from tests.model_server import Scripted, scripted_server


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A model server that behaves well until it is told otherwise."""
    with scripted_server() as script:
        yield script
