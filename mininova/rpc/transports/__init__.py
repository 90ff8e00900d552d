"""What carries messages: AMQP, and memory for tests; base.py says what every transport does."""
