"""What can go wrong for an operator. Every message says what to do.

* FleetError
  - BadNameError             not a name that a topic can carry
  - FleetExistsError         there is a fleet in this folder already
  - NotAFleetError           there is none, or a file of it cannot be used
  - AlreadyEnrolledError     the device is in the fleet already
  - BrokerMissingError       no mosquitto on this machine
  - BrokerStartError         mosquitto does not start: port taken, folder not writable, ...
"""


class FleetError(Exception):
    """An operator's command cannot be carried out."""


class BadNameError(FleetError):
    """Not a name that a topic can carry."""


class FleetExistsError(FleetError):
    """There is a fleet in this folder already."""


class NotAFleetError(FleetError):
    """There is no fleet in this folder, or a file of it cannot be used."""


class AlreadyEnrolledError(FleetError):
    """The device is in the fleet already."""


class BrokerMissingError(FleetError):
    """There is no mosquitto on this machine."""


class BrokerStartError(FleetError):
    """mosquitto does not start."""
