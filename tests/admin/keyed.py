"""What a browser sends of a document's typed rows."""


def typed(*rows: tuple[object, object], known: int = 0) -> dict[str, object]:
    """Return the fields of these rows (SKU or barcode, quantity); the first ``known`` stood there when it opened."""
    told: dict[str, object] = {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": known}
    for number, (sku, quantity) in enumerate(rows):
        told |= {f"lines-{number}-sku": sku, f"lines-{number}-quantity": quantity}
    return told
