"""What `firstline gate explain` does: prices bounds, says them in words, draws them."""
