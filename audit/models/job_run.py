"""One row for each slot of a scheduled job: two beats cannot run it twice."""

from django.db import models


class JobRun(models.Model):
    """A slot of a scheduled job that somebody has taken."""

    job = models.CharField(max_length=80)
    slot = models.CharField(max_length=40)
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="a_job_takes_a_slot_once")]

    def __str__(self) -> str:
        return f"{self.job} {self.slot}"
