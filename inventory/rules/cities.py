"""Where the larger cities of China lie: (province code, name without 市) → (latitude, longitude), WGS-84."""

CITIES: dict[tuple[str, str], tuple[float, float]] = {
    ("32", "苏州"): (31.30, 120.58),
    ("33", "宁波"): (29.87, 121.54),
    ("44", "深圳"): (22.54, 114.06),
}
