"""Console, API and probes, over the services that the command line uses."""
