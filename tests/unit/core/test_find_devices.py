"""Numbers of devices and of patients, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.device import find_checked_devices, vin
from agent.core.find.look import look
from agent.core.find.trigger import find_by_words


def found(text: str) -> list[tuple[str, str]]:
    spans = [*find_checked_devices(text), *find_by_words(look(text))]
    return sorted({(span.label, text[span.start : span.end]) for span in spans})


@pytest.mark.parametrize(
    ("text", "label", "number"),
    [
        ("IMEI: 490154203237518", "IMEI", "490154203237518"),
        ("IMEI number is 49-015420-323751-8.", "IMEI", "49-015420-323751-8"),
        ('"imei": "490154203237518"', "IMEI", "490154203237518"),
        ("imei=490154203237519", "IMEI", "490154203237519"),  # mistyped, but meant
        ("IMEISV 4901542032375118", "IMEI", "4901542032375118"),
        ("phone 352099001761481 lost", "IMEI", "352099001761481"),
        ("iccid 8944500102198304826", "ICCID", "8944500102198304826"),
        ("SIM card number: 8944 5001 0219 8304 826", "ICCID", "8944 5001 0219 8304 826"),
        ("AT+CCID 8944500102198304826", "ICCID", "8944500102198304826"),
        ("IMSI: 262011234567890", "ICCID", "262011234567890"),
        ("EID 89049032123451234512345678901235", "ICCID", "89049032123451234512345678901235"),
        ("VIN: WVWZZZ1JZXW000001", "VIN", "WVWZZZ1JZXW000001"),
        ("Fahrgestellnummer WVWZZZ1JZXW000001", "VIN", "WVWZZZ1JZXW000001"),
        ("chassis no. wvwzzz1jzxw000001", "VIN", "wvwzzz1jzxw000001"),
        ("the car 1M8GDM9AXKP042788 is here", "VIN", "1M8GDM9AXKP042788"),
        ("Serial\t\t: 10000000abcdef01", "SERIAL", "10000000abcdef01"),
        ("serial number is C02XK0AAJG5H", "SERIAL", "C02XK0AAJG5H"),
        ("Serial No. 4711-0815", "SERIAL", "4711-0815"),
        ("S/N:FCW2140L0GH,", "SERIAL", "FCW2140L0GH"),
        ("SN: 123456", "SERIAL", "123456"),
        ('{"serial_number": "SN-0042-17"}', "SERIAL", "SN-0042-17"),
        ("with serial FCW2140L0GH", "SERIAL", "FCW2140L0GH"),
        ("usb 1-1: SerialNumber: 12345678", "SERIAL", "12345678"),
        ("Seriennummer 0815-4711", "SERIAL", "0815-4711"),
        ("num\u00e9ro de s\u00e9rie : AB1234567", "SERIAL", "AB1234567"),
        (
            "device id 550e8400-e29b-41d4-a716-446655440000",
            "SERIAL",
            "550e8400-e29b-41d4-a716-446655440000",
        ),
        ("deviceId=a1b2c3d4e5", "SERIAL", "a1b2c3d4e5"),
        (
            "machine-id: 3e2a986f0c1b4d5e6f708192a3b4c5d6",
            "SERIAL",
            "3e2a986f0c1b4d5e6f708192a3b4c5d6",
        ),
        ("DevEUI: 70B3D57ED0001234", "SERIAL", "70B3D57ED0001234"),
        ("MRN: 12345678", "MRN", "12345678"),
        ("MRN #00-12-34-56", "MRN", "00-12-34-56"),
        ("medical record number is MR-4471920.", "MRN", "MR-4471920"),
        ("Patient ID: AB123456", "MRN", "AB123456"),
        ('"patient_id": 4471920', "MRN", "4471920"),
        ("Patientennummer 4471920", "MRN", "4471920"),
        ("hospital no. 4471920", "MRN", "4471920"),
        ("case number 2024/12345", "MRN", "2024/12345"),
        ("Accession: A2024-00123", "MRN", "A2024-00123"),
        ("Fall-Nr. 4471920", "MRN", "4471920"),
        ("NHS number 943 476 5919", "MRN", "943 476 5919"),
        ("NHC: 4471920", "MRN", "4471920"),
        ("Versichertennummer: A123456780", "MRN", "A123456780"),
    ],
)
def test_number_is_found(text: str, label: str, number: str) -> None:
    assert found(text) == [(label, number)]


@pytest.mark.parametrize(
    "text",
    [
        "352099001761482",  # the check fails
        "8944500102198304827",
        "1700000000000000000",  # a Unix time in ns
        "20261120123009123",
        "1M8GDM9AYKP042788",
        "ABCDEFGHJKLMNPRST",
        "0.352099001761481",
        "serial8250: ttyS0 at I/O 0x3f8 (irq = 4) is a 16550A",
        "Serial: 8250/16550 driver, 4 ports",
        "New USB device strings: Mfr=1, Product=2, SerialNumber=3",
        "zone example.com/IN: loaded serial 2024010101",
        "device id 0x100e, vendor 8086:100e",
        "serialization took 123456 us, serializer v1.2.345678",
        "a snapshot 123456, SNR 123456",
        "deviceid 5, device number 4",
        "in this case 12345 rows; case 7; the patient waited 1234 s",
        "history 20261120, chart 1234567",
        "patients: 12345, hospital beds",
        "casein 12345678",
        "the vin rouge of 1982",
        "the SN is unknown, USN: 123456",
        "MRN 1234567890123456789012345678",
    ],
)
def test_no_number_is_found(text: str) -> None:
    assert found(text) == []


def test_check_of_a_vehicle_agrees_with_published_examples() -> None:
    assert vin("1M8GDM9AXKP042788")
    assert vin("5GZCZ43D13S812715")
    assert not vin("1M8GDM9AXKP042789")
    assert not vin("1" * 17)  # it passes, but is a number
