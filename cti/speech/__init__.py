"""Speech: the voice that makes prompts, the recogniser that reads them back, the models of both."""
