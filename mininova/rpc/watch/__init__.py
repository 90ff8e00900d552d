"""What shows messages to people and tools: metrics, traces, spans, the flow, and a log that floods cannot fill."""
