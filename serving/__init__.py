"""What runs beside the user: the bundle, the predictor and the service."""
