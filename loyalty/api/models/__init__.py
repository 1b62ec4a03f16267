"""What requests and answers look like: pydantic models, here at the edge only. Every field says what it means."""
