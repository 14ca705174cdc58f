"""Drive the simulated AfterShip with its own library: argv is its address; what was seen comes out as JSON."""

import json
import sys

from tracking import Client, Configuration
from tracking.exceptions import ApiException
from tracking.models.create_tracking_request import CreateTrackingRequest

client = Client(
    Configuration(domain=sys.argv[1], authentication_type="AES", api_key="AK", api_secret="AS", max_retry=0)
)
asked = CreateTrackingRequest(tracking_number="D1", slug="dhl", title="P-1 杭州")


def refused(call):
    try:
        call()
    except ApiException as error:
        return [error.status_code, error.meta_code]
    return []


created = client.tracking.create_tracking(create_tracking_request=asked)
listed = client.tracking.get_trackings(tracking_numbers="D1,D2", limit=5)
stranger = Client(
    Configuration(domain=sys.argv[1], authentication_type="AES", api_key="AK", api_secret="other", max_retry=0)
)
seen = {
    "created": [created.data.slug, created.data.tag.value],
    "again": refused(lambda: client.tracking.create_tracking(create_tracking_request=asked)),
    "listed": [[row.tracking_number, row.tag.value] for row in listed.data.trackings],
    "stranger": refused(lambda: stranger.tracking.get_trackings(limit=1)),
}
sys.stdout.write(json.dumps(seen) + "\n")
