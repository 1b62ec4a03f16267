"""What the worker does, one verb a file; schedule.py is only the table of jobs."""
