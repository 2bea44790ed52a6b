"""What can go wrong for an operator. Every message says what to do.

* FleetError
  - BadNameError             not a name that a topic can carry
  - FleetExistsError         there is a fleet in this folder already
  - NotAFleetError           there is none, or a file of it cannot be used
  - PassphraseError          a key is locked, and the passphrase is missing or wrong
  - AlreadyEnrolledError     the device is in the fleet already
  - EpochsError              a pool's keys cannot be rotated as is asked
  - UnknownDeviceError       the device is not in the fleet
  - UnknownRolloutError      there is no such release, or more than one is meant
  - RolloutStateError        a release is in a state that does not allow what is asked
  - BrokerMissingError       no mosquitto on this machine
  - BrokerStartError         mosquitto does not start: port taken, folder not writable, ...
  - RulesRefusedError        a running broker does not take the operator's access rules
"""


class FleetError(Exception):
    """An operator's command cannot be carried out."""


class BadNameError(FleetError):
    """Not a name that a topic can carry."""


class FleetExistsError(FleetError):
    """There is a fleet in this folder already."""


class NotAFleetError(FleetError):
    """There is no fleet in this folder, or a file of it cannot be used."""


class PassphraseError(FleetError):
    """A key is locked, and the passphrase is missing or wrong."""


class AlreadyEnrolledError(FleetError):
    """The device is in the fleet already."""


class EpochsError(FleetError):
    """A pool's keys cannot be rotated as is asked."""


class UnknownDeviceError(FleetError):
    """The device is not in the fleet."""


class UnknownRolloutError(FleetError):
    """There is no such release, or more than one is meant."""


class RolloutStateError(FleetError):
    """A release is in a state that does not allow what is asked."""


class BrokerMissingError(FleetError):
    """There is no mosquitto on this machine."""


class BrokerStartError(FleetError):
    """mosquitto does not start."""


class RulesRefusedError(FleetError):
    """A running broker does not take the operator's access rules."""
