"""The pages, one module a subject: read the request, call a service, render. No rule of the product lives here."""
