"""Uses the project as its users do, and says what came of it as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import django  # type: ignore[import-untyped]

sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
Path("clinic_migrations").mkdir()
Path("clinic_migrations/__init__.py").touch()
django.setup()

from django.apps import apps  # type: ignore[import-untyped]  # noqa: E402 - once Django is set up
from django.contrib.auth.models import User  # type: ignore[import-untyped]  # noqa: E402
from django.core import serializers  # type: ignore[import-untyped]  # noqa: E402
from django.core.management import call_command  # type: ignore[import-untyped]  # noqa: E402
from django.db import connections  # type: ignore[import-untyped]  # noqa: E402
from django.test import Client  # type: ignore[import-untyped]  # noqa: E402

from strongroom import AsyncRoom, Handle, Room  # noqa: E402
from strongroom.applications.django import aresolve, resolve  # noqa: E402
from strongroom.errors import InputError  # noqa: E402

Visit = apps.get_model("clinic", "Visit")
given = json.loads(sys.argv[1])
why: Any = {"purpose": "confirm", "case": "case-17", "reason": "confirming an application for a passport"}
known = {"device": given["device"], "anchors": "anchors.json", "state": "checkpoint"}
said: dict[str, Any] = {}

call_command("makemigrations", "clinic", verbosity=0)
(migration,) = Path("clinic_migrations").glob("0001_*.py")
said["migration"] = migration.read_text()
out = io.StringIO()
call_command("makemigrations", "clinic", check_changes=True, dry_run=True, stdout=out)
said["changes"] = out.getvalue().strip().partition(" in app")[0]
call_command("migrate", verbosity=0)

for handle in given["handles"]:
    Visit(day="2026-12-01", person=handle).save()
Visit.objects.create(day="2026-12-02", person=None)
visits = Visit.objects.order_by("id")

with Room(given["address"], **known) as room:
    people = visits.resolve(room, "person", ["name"], **why)
    said["names"] = [people[one]["name"] for one in visits if one in people]
    said["asks"] = len({people.proof.entry}) if people.proof else 0
    rows = list(visits[:4])
    found = resolve(room, rows, "person", ["name"], **why)
    said["list"] = [found[one]["name"] for one in rows]
    said["nobody"] = len(Visit.objects.filter(person=None).resolve(room, "person", ["name"], **why))
    try:
        resolve(room, rows, "day", ["name"], **why)
    except InputError as error:
        said["field"] = str(error)
    try:
        pickle.dumps(people)
    except TypeError as error:
        said["pickle"] = str(error)


async def names() -> list[str | None]:
    async with AsyncRoom(given["address"], **known) as room:
        people = await aresolve(room, rows, "person", ["name"], **why)
        return [people[one]["name"] for one in rows]


said["async"] = asyncio.run(names())

User.objects.create_superuser("root", "", "root")
client = Client()
client.login(username="root", password="root")
said["changelist"] = client.get("/admin/clinic/visit/").content.decode()
said["change"] = client.get(f"/admin/clinic/visit/{rows[0].pk}/change/").content.decode()

said["found"] = [str(one.person) for one in Visit.objects.filter(person=given["handles"][0])]
said["kind"] = type(Visit.objects.first().person).__name__
said["fixture"] = serializers.serialize("json", rows[:1])
(loaded,) = serializers.deserialize("json", said["fixture"])
said["loaded"] = str(Handle(loaded.object.person))
try:
    Visit(day="2026-12-03", person="Wang Fang").save()
except InputError as error:
    said["wrong"] = str(error)
connections.close_all()
sys.stdout.write(json.dumps(said))
