"""Spoken commands: what is said, the call that it is, and its Spanish. All three come from one grammar, so that each is right by construction."""
import dataclasses
import functools
import json

ROOMS = {"kitchen": "de la cocina", "bedroom": "del dormitorio", "bathroom": "del baño", "garage": "del garaje", "hall": "del pasillo", "office": "de la oficina", "garden": "del jardín",
         "cellar": "del sótano"}
SWITCHED = {"lamp": "la lámpara", "fan": "el ventilador", "heater": "la estufa", "radio": "la radio", "television": "el televisor"}
MOVED = {"door": "la puerta", "window": "la ventana", "curtain": "la cortina", "gate": "la verja"}
RUN = {"oven": "el horno", "washer": "la lavadora", "music": "la música", "camera": "la cámara"}
VERBS = {"turn on": "enciende", "turn off": "apaga", "open": "abre", "close": "cierra", "start": "inicia", "stop": "detén"}

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNOS = ("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés "
         "veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve").split()
_DIECES = "treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()


def spelled(n: int) -> str:
    if n < 20:
        return _ONES[n]
    return _TENS[n // 10 - 2] + ("" if n % 10 == 0 else " " + _ONES[n % 10])


def en_spanish(n: int) -> str:
    if n < 30:
        return _UNOS[n]
    return _DIECES[n // 10 - 3] + ("" if n % 10 == 0 else " y " + _UNOS[n % 10])


@dataclasses.dataclass(frozen=True)
class Command:
    said: str
    call: str = ""     # one line of JSON; a number alone is no call
    spanish: str = ""  # of the small set that is taught: switching, opening, starting, and numbers


def _call(verb: str, **what) -> str:
    return json.dumps({"call": verb.replace(" ", "_"), **what})


@functools.cache
def commands() -> tuple[Command, ...]:
    out = []
    for room, de in ROOMS.items():
        for devices, verbs in ((SWITCHED, ("turn on", "turn off")), (MOVED, ("open", "close"))):
            for device, el in devices.items():
                for verb in verbs:
                    out.append(Command(f"{verb} the {room} {device}", _call(verb, device=device, room=room), f"{VERBS[verb]} {el} {de}"))
        for n in range(10, 31):
            out.append(Command(f"set the {room} heater to {spelled(n)} degrees", _call("set", device="heater", room=room, degrees=n)))
    for device, el in RUN.items():
        for verb in ("start", "stop"):
            out.append(Command(f"{verb} the {device}", _call(verb, device=device), f"{VERBS[verb]} {el}"))
    for n in range(2, 61):
        out.append(Command(f"set a timer for {spelled(n)} minutes", _call("timer", minutes=n)))
    return tuple(out)


@functools.cache
def numbers() -> tuple[Command, ...]:
    return tuple(Command(spelled(n), spanish=en_spanish(n)) for n in range(100))


@functools.cache
def spoken_words() -> tuple[str, ...]:
    """Every word that is ever said: the classes of the warm-up."""
    return tuple(sorted({w for c in commands() + numbers() for w in c.said.split()}))
