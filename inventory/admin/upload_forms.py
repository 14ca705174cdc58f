"""What the page asks that takes a stock file."""

import secrets
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from inventory.services import uploads


class UploadForm(forms.Form):
    """A file, and whether it is only checked."""

    key = forms.CharField(max_length=40, initial=lambda: secrets.token_hex(16), widget=forms.HiddenInput)
    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ",".join(uploads.ENDINGS), "class": "file"}),
    )
    mode = forms.ChoiceField(
        label=_("What is done with it"),
        choices=[("check", _("only check it: nothing changes")), ("import", _("import it, all rows or none"))],
        widget=UnfoldAdminSelectWidget,
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read into memory."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > uploads.MOST_BYTES:
            most = uploads.MOST_BYTES // 1_000_000
            raise forms.ValidationError(_("The file is larger than %(most)s MB. Split it."), params={"most": most})
        return file
