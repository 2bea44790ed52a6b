"""A window to the numbers its model takes: checked samples, or features of each channel.

    samples (T, C) float32 -> the same, as (1, T, C)      where the package names no features
                           -> features (1, C * F)         channel by channel, in the given order

Features are computed in float64, so that a fast sensor's sums do not depend on the processor.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import InputMismatchError, ManifestError
from broker.package.inputs import WindowInput
from broker.wire.payload import SAMPLE_BYTES, Window

Samples = NDArray[np.float64]  # (T, C)
_FLAT: Final = 1e-12  # a variance below it is a channel that does not move
_BAND: Final = "band:"  # band:LOW-HIGH, in Hz


def window_numbers(window: Window, wanted: WindowInput) -> NDArray[np.float32]:
    """Prepare one window for its model.

    Raises:
        InputMismatchError: other channels, length or rate, or a sample that is no number.
    """
    samples = checked_samples(window, wanted)
    if not wanted.features:
        return samples[np.newaxis]
    wide = samples.astype(np.float64)  # sums of squares of 9,000 rpm need more than float32
    parts = [feature(name)(wide, window.rate_hz) for name in wanted.features]
    return np.stack(parts, axis=1).reshape(1, -1).astype(np.float32)


def checked_samples(window: Window, wanted: WindowInput) -> NDArray[np.float32]:
    """Read the buffer as (T, C) float32.

    Raises:
        InputMismatchError: other channels, length or rate, or a sample that is no number.
    """
    if window.channels != wanted.channels:
        raise InputMismatchError(_channel_message(window.channels, wanted.channels))
    if window.rate_hz != wanted.rate_hz:
        raise InputMismatchError(
            f"the window was sampled at {window.rate_hz:g} Hz; the model takes "
            f"{wanted.rate_hz:g} Hz. Resample it, or use a model for that rate"
        )
    row_bytes = SAMPLE_BYTES * len(wanted.channels)
    if len(window.samples) != wanted.length * row_bytes:
        raise InputMismatchError(
            f"the window has {len(window.samples) / row_bytes:g} samples of each of "
            f"{len(wanted.channels)} channels; the model takes {wanted.length}"
        )
    shape = (wanted.length, len(wanted.channels))
    samples = np.frombuffer(window.samples, dtype="<f4").reshape(shape)
    if not np.isfinite(samples).all():
        row, column = np.argwhere(~np.isfinite(samples))[0]
        raise InputMismatchError(
            f"sample {row} of channel {wanted.channels[column]} is not a finite number; "
            "fill the gap or drop the window"
        )
    return samples


def feature(name: str) -> Callable[[Samples, float], Samples]:
    """Find a feature by name; it maps (T, C) and a rate in Hz to (C,).

    Raises:
        ManifestError: there is no such feature.
    """
    if name.startswith(_BAND):
        low, _, high = name.removeprefix(_BAND).partition("-")
        try:
            return _band_energy(float(low), float(high))
        except ValueError as error:
            raise ManifestError(f"feature {name!r} must be like 'band:10-50', in Hz") from error
    if name not in _FEATURES:
        known = ", ".join(sorted(_FEATURES))
        raise ManifestError(f"there is no feature {name!r}; there are {known} and band:LOW-HIGH")
    return _FEATURES[name]


def _channel_message(got: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    if len(got) != len(wanted):
        return f"the window has {len(got)} channels; the model takes {len(wanted)}"
    at = next(n for n, (one, other) in enumerate(zip(got, wanted, strict=True)) if one != other)
    return (
        f"channel {at} has another name than the model's"  # names may be personal; this is logged
    )


def _slope(samples: Samples, rate_hz: float) -> Samples:
    """Least-squares slope in units per second."""
    time_s = np.arange(len(samples)) / rate_hz
    time_s -= time_s.mean()
    scale = float(time_s @ time_s)
    return time_s @ samples / scale if scale else np.zeros(samples.shape[1])


def _kurtosis(samples: Samples, _rate_hz: float) -> Samples:
    """Excess kurtosis; 0 for a channel that does not move."""
    centred = samples - samples.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    moving = variance > _FLAT
    fourth = (centred**4).mean(axis=0)
    return np.where(moving, fourth / np.where(moving, variance**2, 1.0) - 3.0, 0.0)


def _crest(samples: Samples, rate_hz: float) -> Samples:
    """Largest magnitude over RMS; 0 for a channel of zeros."""
    rms = _FEATURES["rms"](samples, rate_hz)
    return np.where(rms > 0, np.abs(samples).max(axis=0) / np.where(rms > 0, rms, 1.0), 0.0)


def _band_energy(low_hz: float, high_hz: float) -> Callable[[Samples, float], Samples]:
    def energy(samples: Samples, rate_hz: float) -> Samples:
        spectrum = np.abs(np.fft.rfft(samples - samples.mean(axis=0), axis=0)) ** 2
        at_hz = np.fft.rfftfreq(len(samples), 1.0 / rate_hz)
        inside = (at_hz >= low_hz) & (at_hz < high_hz)
        return np.asarray(spectrum[inside].sum(axis=0) / len(samples) ** 2, dtype=np.float64)

    return energy


_FEATURES: Final[dict[str, Callable[[Samples, float], Samples]]] = {
    "mean": lambda x, _: x.mean(axis=0),
    "deviation": lambda x, _: x.std(axis=0),
    "rms": lambda x, _: np.sqrt((x**2).mean(axis=0)),
    "minimum": lambda x, _: x.min(axis=0),
    "maximum": lambda x, _: x.max(axis=0),
    "peak_to_peak": lambda x, _: np.ptp(x, axis=0),
    "last": lambda x, _: x[-1],
    "last_third": lambda x, _: x[-max(1, len(x) // 3) :].mean(axis=0),
    "slope": _slope,
    "kurtosis": _kurtosis,
    "crest": _crest,
}
