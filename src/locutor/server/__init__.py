"""Many sessions over HTTP and WebSocket: what a browser or another program needs of `live`."""
