"""What is true of docker/ without building anything; `make test-images` runs what is built."""
