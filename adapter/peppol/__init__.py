"""Invoices and credit notes as Peppol BIS Billing 3 documents."""
