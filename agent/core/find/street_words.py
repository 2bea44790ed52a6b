"""Words for streets, in a dozen languages; Cyrillic and Greek in escapes."""

from agent.core.find.words import words

# Behind the name, with the number in front: 12 Main Street.
ENGLISH = words(
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct terrace ter crescent"
    " cres parkway pkwy highway hwy close circle cir grove mews square sq place pl way alley"
    " turnpike expressway crossroad esplanade quay"
)
# The same, but words of everyday too: only behind a long number and a name.
ENGLISH_TOO = words(
    "bridge bypass canyon causeway center centers cliff cliffs common corner corners course"
    " cove coves creek crossing dale divide estate estates extension falls ferry field fields"
    " flats ford fords forest forge fork forks fort freeway gardens gateway glen glens green"
    " greens harbor harbors haven heights hill hills hollow inlet island islands isle junction"
    " key keys knoll knolls lake lakes landing light lights loaf lock locks lodge loop mall"
    " manor meadow meadows mill mills mission motorway mount mountain neck orchard oval"
    " overpass park parks parkways pass passage path pike pine pines plain plains plaza point"
    " points port ports prairie radial ramp ranch rapid rapids rest ridge ridges river route"
    " row run shoal shoals shore shores skyway spring springs spur spurs squares station"
    " stravenue stream streets summit throughway trace track trafficway trail tunnel underpass"
    " union unions valley valleys via viaduct view views village ville vista walk walks wall"
    " ways well wells"
)
# Before the name; the number in front, as in France, or behind.
FIRST = words(
    "rue c/ avenue av boulevard bd bvd all\u00e9e all\u00e9es impasse chemin cours quai passage"
    " faubourg via viale piazza piazzale piazzetta corso largo vicolo strada lungomare calle"
    " avenida avda plaza paseo camino carretera rambla carrer r\u00faa rua travessa pra\u00e7a"
    " estrada alameda ul ulica aleja al plac \u0443\u043b \u0443\u043b\u0438\u0446\u0430"
    " \u043f\u0440\u043e\u0441\u043f\u0435\u043a\u0442"
    " \u03bb\u03b5\u03c9\u03c6\u03cc\u03c1\u03bf\u03c2"
    " \u03c0\u03bb\u03b1\u03c4\u03b5\u03af\u03b1 \u03bf\u03b4\u03cc\u03c2 place"
)
# Behind the name, with the number behind: Rákóczi út 13.
LAST = words(
    "str stra\u00dfe strasse platz allee weg utca u \u00fat \u00fatja t\u00e9r tere"
    " k\u00f6r\u00fat fasor tee mnt pst puiestee terrasse vei veien v\u00e4g v\u00e4gen plads"
    " str\u00e6de all\u00e9 n\u00e1m\u011bst\u00ed n\u00e1m t\u0159\u00edda straat laan plein"
)
# The same, written as one word: Hauptstraße 5.
ENDINGS = (
    *(
        "stra\u00dfe",
        "strasse",
        "str.",
        "gasse",
        "allee",
        "chaussee",
        "platz",
        "damm",
        "ufer",
        "weg",
    ),
    *("straat", "laan", "gracht", "kade", "dijk", "singel", "plein", "steeg", "gatan", "gata"),
    *("gr\u00e4nd", "v\u00e4gen", "v\u00e4g", "torget", "stigen", "vej", "vejen", "gade", "stien"),
    *("str\u00e6de", "plads", "veien", "vegen", "vei", "gaten", "katu", "kuja", "polku", "antie"),
    *(
        "intie",
        "untie",
        "ontie",
        "entie",
        "\u00e4ntie",
        "vegur",
        "st\u00edgur",
        "braut",
        "str\u00e6ti",
    ),
)
PARTICLES = words(
    "de du des d la le les l del della delle dei do da das dos e y of the van von den der"
)
NO_NAME = words(
    "a an and are as at be but by for from had has have he her his i in is it its me my no not"
    " on or our she so than that their them then there they this to was we were will with you"
    " your minutes minute miles mile meters km hours hour days day weeks people times way year"
    " years"
)


# "via" and "u" are words of many languages: the streets are written so.
SIGNS = ("C/ ", "u. ", "Via ", "VIA ")
_WORDLIKE = words("u via")
NAMED_SO = (ENGLISH | FIRST) - _WORDLIKE
BEHIND = (FIRST | LAST) - _WORDLIKE
