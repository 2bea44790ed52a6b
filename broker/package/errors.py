"""What can be wrong with a model package, in words that say what to do.

    PackageError                 refuse the package, or the question
    +-- ManifestError            package.toml or calibration.json: which line, which key
    +-- DamagedFileError         a file is missing, cut short or altered
    +-- EngineError              the engine cannot run the model file
    +-- TooLateError             the deadline passed before the model had answered
    +-- InputMismatchError       the package is fine; this input is not what it was made for

A caller that only refuses catches `PackageError`; the message is for the person who packed.
"""


class PackageError(Exception):
    """A model package, or a question to it, cannot be used."""


class ManifestError(PackageError):
    """package.toml, its labels or calibration.json are not right."""


class DamagedFileError(PackageError):
    """A file of the package is missing or is not the one that was packed."""


class EngineError(PackageError):
    """The engine cannot load or run the model file."""


class InputMismatchError(PackageError):
    """The input does not fit the model: another kind, field, channel, length or rate."""


class TooLateError(PackageError):
    """The deadline passed before the model had answered."""
