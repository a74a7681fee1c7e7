"""Sites made from a seed: the same pages in many looks and wordings, each over a database of its own."""

from assay.envs.web.sites.admin import Admin
from assay.envs.web.sites.calendar import Calendar
from assay.envs.web.sites.forms import Forms
from assay.envs.web.sites.forum import Forum
from assay.envs.web.sites.mail import Mail
from assay.envs.web.sites.shop import Shop
from assay.envs.web.sites.site import Site

SITES: dict[str, type[Site]] = {site.name: site for site in (Shop, Mail, Calendar, Forum, Admin, Forms)}

__all__ = ["SITES"]
