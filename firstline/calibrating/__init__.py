"""What `firstline model calibrate` does: reads cases, measures, writes."""
