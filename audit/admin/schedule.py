"""What runs by the clock: django-celery-beat's pages on our base. The schedule itself is written in the settings."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    TaskSelectWidget,
)
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as BeatTaskForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns
from audit.admin.base import AuditedAdmin

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The choice of registered tasks, in the desk's look."""


class TaskForm(BeatTaskForm):
    """A periodic task, in the desk's look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BeatTaskAdmin, AuditedAdmin):
    """One entry of the schedule."""

    form = TaskForm
    change_form_template = AuditedAdmin.change_form_template
    include_object_permissions_urls = False
    date_hierarchy = None
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        (_("Schedule"), {"fields": (("interval", "crontab"), "start_time", "last_run_at", "one_off")}),
        (_("Arguments"), {"fields": ("args", "kwargs")}),
        (_("Execution Options"), {"fields": (("expires", "expire_seconds"), ("queue", "priority"))}),
    )
    readonly_fields = ("last_run_at",)
    list_display = ("name", "task", "rhythm", "last_run", "is_on")
    list_filter = ()
    ordering = ("name",)
    actions = ()  # the package's own actions ask for no permission
    empty_hint = _("The clock has not started yet: its entries appear when the beat process runs.")

    @admin.display(description=_("every"))
    def rhythm(self, task: PeriodicTask) -> str:
        """Show how often it runs."""
        return str(task.schedule) if not task.interval else columns.span_exact(task.interval.schedule.run_every)

    @admin.display(description=_("last run"))
    def last_run(self, task: PeriodicTask) -> SafeString:
        """Show when it ran last."""
        return columns.age(task.last_run_at)

    @admin.display(description=_("active"))
    def is_on(self, task: PeriodicTask) -> SafeString:
        """Show whether it runs at all."""
        return columns.label(_("yes"), "green") if task.enabled else columns.label(_("no"), "red")


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(AuditedAdmin):
    """Every so many seconds, minutes, hours or days."""

    include_object_permissions_urls = False
    list_display = ("rhythm",)
    ordering = ("pk",)
    empty_hint = _("No intervals yet.")

    @admin.display(description=_("every"))
    def rhythm(self, interval: IntervalSchedule) -> str:
        """Show how often."""
        return columns.span_exact(interval.schedule.run_every)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(AuditedAdmin):
    """At times of the day, week or month."""

    include_object_permissions_urls = False
    list_display = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")  # in the time zone of the settings
    ordering = ("pk",)
    empty_hint = _("No times of the day yet.")
