"""How fast argbest is, its training engines and the service around them: python -m benchmarks."""
