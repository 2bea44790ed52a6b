"""The whole idea, on one machine: three real processes and a broker, and what each message saw."""
