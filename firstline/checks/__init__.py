"""What `firstline doctor` looks at. Every check gives one finding and its exact fix."""
