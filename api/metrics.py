"""Counts and times for Prometheus. Labels are route templates, states and steps: no id, no text, no workspace."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copilot.domain import Suggestion

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """One app's numbers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "copilot_requests",
            "HTTP requests by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._steps = Histogram(
            "copilot_suggestion_seconds",
            "Time of a suggestion by step.",
            ("step",),
            registry=self._registry,
            buckets=SECONDS,
        )
        self._suggestions = Counter(
            "copilot_suggestions", "Suggestions by status.", ("status",), registry=self._registry
        )

    def request(self, method: str, route: str, status: int) -> None:
        """Count an answered request."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()

    def suggestion(self, made: Suggestion) -> None:
        """Count a suggestion and its steps' times."""
        self._suggestions.labels(made.status).inc()
        for step, milliseconds in made.timings_ms.items():
            self._steps.labels(step).observe(milliseconds / 1e3)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class Counted:
    """Counts each response under its route's template; what matched no route is `none`."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path_format", "none")
                self.metrics.request(scope["method"], route, message["status"])
            await send(message)

        await self.app(scope, receive, counted)
