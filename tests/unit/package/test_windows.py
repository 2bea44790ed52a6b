"""Windows: what is refused, and what each feature measures."""

import math

import numpy as np
import pytest

from broker.package.errors import InputMismatchError, ManifestError
from broker.package.inputs import WindowInput
from broker.package.windows import feature, window_numbers
from broker.wire.payload import Window

RATE_HZ = 64.0
WANTED = WindowInput(("x", "y"), 64, RATE_HZ, (), ())


def window(samples: np.ndarray, *, rate_hz: float = RATE_HZ, channels: str = "xy") -> Window:
    return Window(samples.astype("<f4").tobytes(), tuple(channels), rate_hz)


@pytest.fixture
def samples() -> np.ndarray:
    """(64, 2): a sine of 8 Hz and height 2, and a line from 0 that rises 3 a second."""
    time_s = np.arange(64) / RATE_HZ
    return np.stack([2 * np.sin(2 * np.pi * 8 * time_s), 3 * time_s], axis=1)


def test_samples_go_to_the_model_as_they_are_where_no_feature_is_named(
    samples: np.ndarray,
) -> None:
    numbers = window_numbers(window(samples), WANTED)

    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers, samples.astype(np.float32)[np.newaxis])


def test_features_are_in_order_channel_by_channel(samples: np.ndarray) -> None:
    wanted = WindowInput(("x", "y"), 64, RATE_HZ, (), ("last", "slope"))

    numbers = window_numbers(window(samples), wanted)

    assert numbers.shape == (1, 4)
    assert numbers[0, 0] == pytest.approx(samples[-1, 0], abs=1e-5)
    assert numbers[0, 2] == pytest.approx(samples[-1, 1], abs=1e-5)
    assert numbers[0, 3] == pytest.approx(3.0, abs=1e-5)


MEASURES = {
    "mean": (0.0, 1.4765625),
    "rms": (math.sqrt(2), 1.7116),
    "deviation": (math.sqrt(2), 0.8659),
    "minimum": (-2.0, 0.0),
    "maximum": (2.0, 2.953125),
    "peak_to_peak": (4.0, 2.953125),
    "last": (-1.41421, 2.953125),
    "last_third": (-0.1626, 2.484375),
    "kurtosis": (-1.5, -1.2006),
    "crest": (math.sqrt(2), 1.7254),
    "band:6-10": (1.0, 0.0163),
    "band:20-30": (0.0, 0.0065),
}


@pytest.mark.parametrize(("name", "expected"), MEASURES.items(), ids=MEASURES.keys())
def test_a_feature_measures_what_it_says(
    samples: np.ndarray, name: str, expected: tuple[float, float]
) -> None:
    found = feature(name)(samples, RATE_HZ)

    assert found == pytest.approx(np.array(expected), abs=2e-3)


@pytest.mark.parametrize("name", MEASURES)
def test_a_channel_that_does_not_move_gives_finite_features(name: str) -> None:
    found = feature(name)(np.zeros((8, 1)), 1.0)

    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [("men", "there are .*mean"), ("band:low", "must be like"), ("band:1", "must be like")],
)
def test_an_unknown_feature_is_explained(name: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        feature(name)


MISMATCHES = {
    "another rate": ({"rate_hz": 32.0}, "sampled at 32 Hz; the model takes 64 Hz"),
    "another channel": ({"channels": "xz"}, "channel 1 has another name than the model's$"),
    "swapped channels": ({"channels": "yx"}, "channel 0 has another name"),
    "too few channels": ({"channels": "x"}, "has 1 channels; the model takes 2$"),
}


@pytest.mark.parametrize(("changes", "message"), MISMATCHES.values(), ids=MISMATCHES.keys())
def test_a_window_of_another_shape_is_refused(
    samples: np.ndarray, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputMismatchError, match=message):
        window_numbers(window(samples, **changes), WANTED)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_window_of_another_length_is_refused(samples: np.ndarray, length: int) -> None:
    longer = np.concatenate([samples, samples])

    with pytest.raises(InputMismatchError, match=f"has {length} samples .* takes 64"):
        window_numbers(window(longer[:length]), WANTED)


def test_a_buffer_of_half_a_row_is_refused(samples: np.ndarray) -> None:
    cut = Window(window(samples).samples[:-4], ("x", "y"), RATE_HZ)

    with pytest.raises(InputMismatchError, match=r"63\.5 samples"):
        window_numbers(cut, WANTED)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_sample_that_is_no_number_is_named(samples: np.ndarray, value: float) -> None:
    samples[5, 1] = value

    with pytest.raises(InputMismatchError, match="sample 5 of channel y is not a finite number"):
        window_numbers(window(samples), WANTED)
