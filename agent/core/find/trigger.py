"""Which finders a text's words call for; most texts call for none, and cost one look."""

import re
from collections.abc import Callable, Iterable, Iterator

from agent.core.find.age import find_ages
from agent.core.find.behind import has_any
from agent.core.find.box import BOX_WORDS, find_boxes
from agent.core.find.device import find_devices
from agent.core.find.gps import find_keyed_positions
from agent.core.find.identity import find_named_ids
from agent.core.find.look import Look
from agent.core.find.medical import find_records
from agent.core.find.password import find_passwords
from agent.core.find.plate import find_named_plates
from agent.core.find.postcode import find_named_postcodes
from agent.core.find.street import find_streets
from agent.core.find.words import words
from agent.stages import Span

_DIGIT = re.compile(r"[0-9]")
# Parts of words that are written together in many ways, as in userPassword and DB_PASSWD.
_SECRET_PARTS = ("pass", "token", "secret", "pwd")
_SECRETS = words(
    "psk mdp kennwort senha contrase\u00f1a contrasena clave wachtwoord l\u00f6senord losenord"
    " salasana parola adgangskode heslo pin pincode pinnummer puk cvv cvc otp code key apikey keyid"
    " accesskey appkey nwkkey authkey privatekey secretkey credential credentials sessionid sessid"
    " jsessionid phpsessid session sig signature bearer basic seed mnemonic phrase wifi appskey"
    " nwkskey networkkey licensekey productkey encryptionkey masterkey accountkey"
)
_DEVICES = words(
    "imei imeisv meid iccid sim simcard imsi eid ccid vin vehicle chassis fahrgestellnummer fin"
    " fahrzeug serial serialnumber serialno serialnr seriennummer serien serie s\u00e9rie"
    " serienummer seryjny sn s/n device deviceid deviceuid deviceuuid deviceserial devicenumber"
    " hardware hardwareid machine machineid android androidid installation installationid"
    " advertising udid idfa num\u00e9ro n\u00famero numero chip chipid cpu cpuid asset deveui eui"
)
_RECORDS = words(
    "mrn medical health patient patientid patienten patientennummer patientnumber"
    " pati\u00ebntnummer patientnummer hospital chart case caseid casenumber accession"
    " accessionnumber encounter encounterid admission visit visitid insurance medicare chi nhs nhc"
    " ipp historia cartella num\u00e9ro n\u00famero numero versichertennummer versicherten"
    " krankenversichertennummer fall fallnummer"
)
_POSITIONS = words(
    "lat lon lng long latitude longitude latitudee longitudee latitud longitud latitudine"
    " longitudine gpslatitude gpslongitude gpslat gpslon gpslng geolat geolon breitengrad"
    " l\u00e4ngengrad laengengrad geohash mgrs utmref"
)
_PLATES = words(
    "plate plates numberplate licenseplate numberplates licenseplates vrm registration reg"
    " nummernschild kfz kfzkennzeichen kennzeichen plaque immatriculation matr\u00edcula matricula"
    " targa kenteken kentekennummer registreringsnummer nummerplade nummerpl\u00e5t"
    " registreringsskylt rekisterinumero tablica rejestracja rendsz\u00e1m spz placa"
)
_POSTCODES = words(
    "zip zipcode postal postalcode post postcode code plz postleitzahl c\u00f3digo codigo cap cp"
    " cep postnummer postnr kod ir\u00e1ny\u00edt\u00f3sz\u00e1m psc ps\u010d postinumero eircode"
    " pin pincode"
)
_IDENTITIES = words(
    "driver drivers driving license licence licenses licences führerschein fuhrerschein"
    " führerscheinnummer permis permiso carné carnet patente rijbewijs rijbewijsnummer körkort"
    " prawo dl dln ssn social itin soc national identity identification personal citizen"
    " government state id nino tax taxpayer tin passport steuer steueridentifikationsnummer"
    " steuernummer sozialversicherungsnummer sozialversicherungs svnr ahv ausweis personalausweis"
    " ausweisnummer personalausweisnummer reisepass reisepassnummer sécurité securite nir"
    " passeport carte dni nie nif pasaporte codice cod passaporto bsn burgerservicenummer"
    " rijksregister rijksregisternummer paspoort paspoortnummer niss insz pesel personnummer"
    " samordningsnummer fødselsnummer fodselsnummer henkilötunnus henkilotunnus hetu cpr rodné"
    " rodne cnp egn егн oib pps ppsn cpf curp aadhaar sin tfn паспорт инн снилс"
)
_AGES = words(
    "year years yr yrs y yo old age aged ages turn turned turning turns m im am was he she who they"
)
_Finder = Callable[[str, str, Iterable[str]], Iterator[Span]]
_WITH_DIGITS: tuple[tuple[frozenset[str], _Finder], ...] = (
    (_DEVICES, find_devices),
    (_RECORDS, find_records),
    (_POSITIONS, find_keyed_positions),
    (_PLATES, find_named_plates),
    (_POSTCODES, find_named_postcodes),
    (_IDENTITIES, find_named_ids),
    (_AGES, find_ages),
)


def find_by_words(seen: Look) -> Iterator[Span]:
    """Ask each finder that looks behind words, if one of its words is there."""
    plain, lower, present = seen.plain, seen.lower, seen.present
    if not _SECRETS.isdisjoint(present) or has_any(lower, _SECRET_PARTS):
        yield from find_passwords(plain, lower)
    if not _DIGIT.search(plain):
        return
    if "s/n" in lower:
        present |= {"s/n"}
    streets = list(find_streets(plain, present))
    yield from streets
    if here := BOX_WORDS & present:
        yield from find_boxes(plain, here, streets)
    for known, finder in _WITH_DIGITS:
        if here := known & present:
            yield from finder(plain, lower, here)
