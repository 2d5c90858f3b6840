"""How quickly searches find good configurations, over tables that need no training."""
