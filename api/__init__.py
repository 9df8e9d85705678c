"""Serves the product over HTTP; `app.create_app` is the way in."""
