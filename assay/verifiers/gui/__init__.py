"""Rules on the screen: points, boxes and detections, in pixels of the image that the agent saw."""
