"""`loyalty run`, `serve`, `worker`: the processes."""

import typer

from loyalty.cli.session import start, writing
from loyalty.stopping import stop_on_signals


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(serve)
    app.command()(worker)


def run() -> None:
    """Run the API and the worker, each as a process of its own that is restarted if it dies."""
    from loyalty.supervisor import supervise

    supervise(start())


def serve() -> None:
    """Serve the API and the page at LOYALTY_HOST and LOYALTY_PORT."""
    import uvicorn

    settings = start()
    uvicorn.run(
        "loyalty.api:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )


def worker() -> None:
    """Run the scheduler and its jobs: index, price, accrue, settle, commands, back up."""
    from loyalty.worker import prepare_patiently, work

    with writing(prepared=False) as engine:
        stop_on_signals(engine.stopping)
        if prepare_patiently(engine):
            work(engine)
