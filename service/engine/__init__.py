"""Running jobs: controller, drivers, trials on Ray Tune."""
