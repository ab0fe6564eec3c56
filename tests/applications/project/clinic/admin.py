"""Visits in the admin."""

from __future__ import annotations

from django.apps import apps  # type: ignore[import-untyped]
from django.contrib import admin  # type: ignore[import-untyped]


class VisitAdmin(admin.ModelAdmin):  # type: ignore[misc]
    list_display = ("day", "person")
    readonly_fields = ("person",)


admin.site.register(apps.get_model("clinic", "Visit"), VisitAdmin)
