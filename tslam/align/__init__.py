"""From latent to typed action: labels, decoders, controllers, and the certificate that lets them be used."""
