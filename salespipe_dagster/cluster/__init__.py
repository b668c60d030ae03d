"""Jobs on a cluster: the code that goes there, and the services that run it."""
