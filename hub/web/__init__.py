"""The console: pages for the hub's admins, made from what the services say.

Routes, templates, wording and the session of whoever signed in. Nothing here reads the store or
decides a case; `hub.services` does. Read in this order: `app`, `gate` (who may come in), `desk`
(what a page works with), `rendering` (from values to a page), then `pages`, one module a page.
"""
