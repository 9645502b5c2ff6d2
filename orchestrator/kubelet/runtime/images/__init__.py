"""Programs that the process runtime has built in. Each is a script of the standard library alone."""
