"""A fictional retailer to try the hub with: its company, its past, and the orders that flow in.

Everything here is made from a seed. Names, brands, people, phone numbers and barcodes belong to nobody:
phones start with 100 (no mobile network has it), barcodes lie in the range that shops use inside their own walls.
"""
