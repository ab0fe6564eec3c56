"""A visit, by somebody."""

from __future__ import annotations

from django.db import models  # type: ignore[import-untyped]

from strongroom.applications.django import PersonField, PersonQuerySet


class Visit(models.Model):  # type: ignore[misc]
    day = models.DateField()
    person = PersonField("residents", unique=True, null=True)

    objects = PersonQuerySet.as_manager()

    def __str__(self) -> str:
        return f"visit {self.pk}"
