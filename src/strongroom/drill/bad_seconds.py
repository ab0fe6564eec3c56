"""Second signatures that are none: the table that says what must come of each is ``checks_attacked``.

The ask is to set a health code, as a doctor signs it; an officer of another unit has to sign it too (SPEC.md section 7.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from strongroom.client.device import SignedAsk
from strongroom.drill.bad_asks import stranger
from strongroom.drill.scene import Outcome, Scene
from strongroom.gate import ask as asks
from strongroom.gate.ask import Countersignature


def _code(scene: Scene) -> SignedAsk:
    return scene.intake(3, "dora", "health-codes", "set-code")


def _use(scene: Scene, signed: SignedAsk, *seconds: Countersignature) -> Outcome:
    made = replace(signed, countersignatures=seconds) if seconds else signed
    return scene.ask(scene.intruder.intake(made, "id-number", scene.inners(1, "health-codes")))


def by(*names: str) -> Callable[[Scene], Outcome]:
    """Good signatures of these readers, under the very ask."""
    return lambda scene: _use(scene, scene.seconded(_code(scene), *names))


def by_stranger(scene: Scene) -> Outcome:
    signed = _code(scene)
    return _use(scene, signed, asks.countersign(signed.text, stranger().key))


def forged(scene: Scene) -> Outcome:
    signed = _code(scene)
    made = asks.countersign(signed.text, stranger().key)
    return _use(scene, signed, Countersignature(scene.stage.key_of("odd").reader, made.signature))


def of_another_ask(scene: Scene) -> Outcome:
    return _use(scene, _code(scene), *scene.seconded(_code(scene), "odd").countersignatures)


def as_asker(scene: Scene) -> Outcome:
    """The officer signed as one signs an ask of one's own."""
    signed, device = _code(scene), scene.stage.key_of("odd")
    return _use(scene, signed, Countersignature(device.reader, asks.sign(signed.text, device.key)))


def out_of_order(scene: Scene) -> Outcome:
    signed = scene.seconded(_code(scene), "odd", "emil")
    return _use(scene, signed, *reversed(signed.countersignatures))


def twice(scene: Scene) -> Outcome:
    signed = scene.seconded(_code(scene), "odd")
    return _use(scene, signed, *signed.countersignatures * 2)


def unwanted(scene: Scene) -> Outcome:
    """Under a purpose that wants none: the entry would look better founded than it is."""
    signed, pieces = scene.good()
    return scene.shares(scene.seconded(signed, "ben"), pieces)
